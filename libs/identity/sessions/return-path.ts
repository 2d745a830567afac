/** Longest path to go back to, in characters. */
const MAX_LENGTH = 1024;

/**
 * The path of ours that a browser may be sent to after a sign-in, in the spelling in which it is used; undefined for
 * whatever could lead elsewhere. Only characters that every reader of URLs takes alike: no backslash, no control
 * character, nothing outside of ASCII, also not percent-encoded where a decoder could meet it as the beginning of a host.
 */
export function returnPath(text: string): string | undefined {
  if (text.length > MAX_LENGTH || !/^\/[\x21-\x7e]*$/.test(text) || /[\\<>"'`]/.test(text)) return undefined;
  const decoded = decodedWholly(text);
  // An encoded slash or backslash that some proxy decodes must not become a host, nor a control character be dropped.
  if (decoded === undefined || /^\/[/\\]/.test(decoded) || /[\u0000-\u001f\u007f\\]/.test(decoded)) return undefined;
  const url = new URL(text, HERE);
  const path = `${url.pathname}${url.search}${url.hash}`;
  return url.origin === HERE && !path.startsWith('//') ? path : undefined;
}

const HERE = 'https://here.invalid';

/** A text with all percent-encoding undone, however often it was done; undefined if it is malformed. */
function decodedWholly(text: string): string | undefined {
  let before = text;
  for (let round = 0; round < 5; round++) {
    const after = decodedOnce(before);
    if (after === undefined || after === before) return after;
    before = after;
  }
  return undefined;
}

function decodedOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
