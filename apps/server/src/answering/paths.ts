/** The page of what somebody is asked. */
export const listPath = (tenant: string): string => `/t/${encodeURIComponent(tenant)}/requests`;

/** The page of one request. */
export const requestPath = (tenant: string, id: string): string => `${listPath(tenant)}/${encodeURIComponent(id)}`;

/** The same, by a link for one person. */
export const withLink = (path: string, link: string | undefined): string =>
  link === undefined ? path : `${path}?${new URLSearchParams({ link }).toString()}`;

/** Where somebody signs in otherwise, and comes back from to a page. */
export const signInAndBack = (signInPath: string, back: string): string =>
  `${signInPath}&${new URLSearchParams({ return_to: back }).toString()}`;
