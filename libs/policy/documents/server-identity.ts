/** What a server is known by besides its name: an URL, an exact command line, or a package of a registry. */
export interface ServerIdentity {
  readonly url?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly package?:
    { readonly registry: string; readonly name: string; readonly version: string; readonly sha256: string } | undefined;
}

/** Each part of an identity as one text; what is no URL has a text that no registered server has. */
export function serverIdentities({ url, command, package: distributed }: ServerIdentity): string[] {
  const identities: string[] = [];
  if (url !== undefined) identities.push(URL.canParse(url) ? new URL(url).href : `unreadable ${url}`);
  if (command !== undefined) identities.push(`command ${JSON.stringify(command)}`);
  if (distributed !== undefined) {
    const { registry, name, version, sha256 } = distributed;
    identities.push(`package ${JSON.stringify([registry, name, version, sha256])}`);
  }
  return identities;
}
