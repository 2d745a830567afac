import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from './cluster.js';
import { startEmbeddedPostgres } from './index.js';
import { ended, folderArgument, startProgram } from './program.js';
import {
  folder,
  installLibrary,
  leftBehind,
  Owner,
  postmaster,
  query,
  stopped,
  takenPort,
  waitFor,
  type Installation,
} from './testing/index.js';

let library: Installation;
beforeAll(() => void (library = installLibrary('linked')));
afterAll(() => library.remove());

describe.concurrent('a directory that is in use', () => {
  it('is refused to a second process, with the sentence, and the first one goes on', async () => {
    const { directory } = await stopped();
    const first = await startEmbeddedPostgres({ directory, volatile: true });
    const second = await new Owner(library, directory).outcome();
    const rows = await query(first.url, 'SELECT 1 AS one');
    await first.stop();
    expect(second).toEqual({
      name: 'EmbeddedPostgresError',
      code: 'in_use',
      message:
        `The folder '${directory}' is used by another Placet process (pid ${process.pid}): ` +
        `stop that one, or set PLACET_DATA_DIR to another folder.`,
    });
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('is refused where a Postgres runs on it that we did not start, and that one goes on', async () => {
    const { directory } = await stopped();
    const cluster = await openCluster({ directory, volatile: true, progress: () => undefined });
    const { account, binaries, data } = cluster;
    const { port, free } = await takenPort();
    await free();
    const args = ['-D', folderArgument(data, account), '-p', `${port}`, '-c', 'unix_socket_directories='];
    const program = await startProgram(binaries.postgres, args, { account, cwd: data, stdio: 'ignore' });
    await waitFor('postmaster.pid', () => postmaster(directory) === program.pid);
    const refused = startEmbeddedPostgres({ directory, volatile: true });
    await expect(refused).rejects.toMatchObject({
      code: 'in_use',
      message: expect.stringMatching(`\\(pid ${program.pid}\\).*'${directory}': stop that one, or`) as string,
    });
    const after = postmaster(directory);
    program.kill('SIGINT');
    await ended(program);
    expect(after).toBe(program.pid);
  });

  it.each([
    { name: 'without a cluster', make: () => join(folder(), 'data') },
    { name: 'with a cluster', make: async () => (await stopped()).directory },
    { name: 'with a server left behind', make: async () => (await leftBehind(library)).directory },
  ])('goes to exactly one of three processes that start at the same moment, $name', async ({ make }) => {
    const directory = await make();
    const owners = [1, 2, 3].map(() => new Owner(library, directory));
    const outcomes = await Promise.all(owners.map((owner) => owner.outcome()));
    const winner = owners[outcomes.findIndex(({ how }) => how !== undefined)];
    const { url } = outcomes.find(({ how }) => how !== undefined)!;
    const rows = await query(url!, 'SELECT 1 AS one');
    const names = readdirSync(directory);
    await winner!.stop();
    expect(outcomes.map(({ how, code }) => code ?? (how && 'has it')).sort()).toEqual(['has it', 'in_use', 'in_use']);
    expect(rows).toEqual([{ one: 1 }]);
    expect(names.filter((name) => !/^(cluster|postgres\.log(\.old)?)$/.test(name))).toEqual([]);
  });
});
