/**
 * The cookie of a name in a Cookie header; undefined if it is not there, or there twice with different values: which of
 * them a browser meant cannot be known.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = new Set(
    (header ?? '')
      .split(';')
      .map((part) => part.trim())
      .filter((part) => part.startsWith(`${name}=`))
      .map((part) => part.slice(name.length + 1)),
  );
  return values.size === 1 ? [...values][0] : undefined;
}

/** A `Set-Cookie` header for a cookie that no script can read and that only this host gets, over TLS. */
export const setCookie = (name: string, value: string, maxAgeSeconds: number): string =>
  `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(maxAgeSeconds)}`;

/** A `Set-Cookie` header that takes a cookie away. */
export const dropCookie = (name: string): string => setCookie(name, '', 0);
