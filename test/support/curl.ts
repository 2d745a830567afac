import { spawn } from 'node:child_process';

/** What curl got for an answer. */
export interface CurlAnswer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what comes over the wire is looked at, not relied on
  readonly body: any;
}

/** Runs curl, an OAuth client that has none of our libraries in it. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const child = spawn('curl', ['--silent', '--show-error', '--include', '--max-time', '20', ...args], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve).once('error', reject);
  });
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
  const end = stdout.indexOf('\r\n\r\n');
  const [first, ...lines] = stdout.slice(0, end).split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const text = stdout.slice(end + 4);
  const isJson = text !== '' && (headers.get('content-type')?.includes('json') ?? false);
  return { status: Number(first!.split(' ')[1]), headers, body: isJson ? JSON.parse(text) : text };
}
