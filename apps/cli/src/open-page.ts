import { spawn } from 'node:child_process';

/** Opens a page where there is something to do so; the person has its address in any case. */
export function openPage(page: string): void {
  if (!/^https?:\/\//.test(page)) return;
  const [program, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['explorer'] : ['xdg-open'];
  const child = spawn(program, [...args, page], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
