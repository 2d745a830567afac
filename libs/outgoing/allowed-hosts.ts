const HOST = /^(\*\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/** Hosts that may be gone to: one by its name, or all that are below one, at a port. */
export interface AllowedHost {
  /** Whether those below it are meant, and not it itself. */
  readonly below: boolean;
  readonly name: string;
  /** As in URLs: empty is that of https. */
  readonly port: string;
}

/** Reads a host as settings write it, such as hooks.example.com, *.example.com or 127.0.0.1:8080; undefined for what is none. */
export function allowedHost(text: string): AllowedHost | undefined {
  const [, star, name, port = ''] = HOST.exec(text.toLowerCase()) ?? [];
  if (name === undefined || Number(port) > 65_535) return undefined;
  // `*.com` would be about everybody, and addresses have nothing below them.
  if (star !== undefined && (!name.includes('.') || /^[\d.]+$/.test(name))) return undefined;
  return { below: star !== undefined, name, port: port === '443' ? '' : port };
}

/** Whether a URL leads to one of some hosts. */
export function isAllowed(hosts: readonly AllowedHost[], { protocol, hostname, port }: URL): boolean {
  // In URLs the port of the scheme is left out, and here it is that of https.
  const at = protocol === 'https:' ? port : port || '80';
  return hosts.some(
    (host) => host.port === at && (host.below ? hostname.endsWith(`.${host.name}`) : hostname === host.name),
  );
}
