import { spawn } from 'node:child_process';

/** What curl got for an answer. */
export interface CurlAnswer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what comes over the wire is looked at, not relied on
  readonly body: any;
}

/** Runs curl, an OAuth client that has none of our libraries in it. The last line that it writes is the status. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const child = spawn('curl', ['-sS', '-D', '/dev/stderr', '-w', '\n%{http_code}', ...args], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
  const at = stdout.lastIndexOf('\n');
  const headers = new Headers(
    stderr.split('\r\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()]] : [];
    }),
  );
  const text = stdout.slice(0, at);
  const isJson = headers.get('content-type')?.includes('json') && text !== '';
  return { status: Number(stdout.slice(at + 1)), headers, body: isJson ? JSON.parse(text) : text };
}
