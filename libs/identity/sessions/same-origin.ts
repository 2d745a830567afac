/** The headers of a request that say from where it was made. */
export interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

/**
 * Whether a browser made a request from a page of ours. `Sec-Fetch-Site` cannot be set by scripts; browsers that do not
 * send it are held to `Origin`. A request with neither is not from a page of ours.
 * @param ours the origin of the service, such as `https://placet.example.com`
 */
export function isSameOrigin(headers: OriginHeaders, ours: string): boolean {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (site === undefined) return origin === ours;
  // Forms of pages that send no referrer have the origin `null`.
  return site === 'same-origin' && (origin === undefined || origin === 'null' || origin === ours);
}
