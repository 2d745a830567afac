import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { makeCertificate } from './certificate.js';
import { isInstalled, Program } from './program.js';

const [SAMBA, TOOL] = ['/usr/sbin/samba', '/usr/bin/samba-tool'];

/** Whether there is an Active Directory to test with: its ports are fixed, and below 1024. */
export const hasActiveDirectory =
  isInstalled(SAMBA, TOOL, '/usr/bin/openssl', '/usr/share/samba/setup') && process.getuid?.() === 0;

const ADMINISTRATOR = { name: 'Administrator@corp.test', password: 'P@ssw0rd!x9' };

/** The account that Placet reads with. */
export const AD_READER = { name: 'placet@corp.test', password: 'R3ader-of-the-directory!' };

/** A real Active Directory domain, `corp.test`, on one domain controller (Samba). */
export interface ActiveDirectory {
  readonly url: string;
  readonly plainUrl: string;
  /** The same as `url`, by the name of this machine: a service goes to no other address of it. */
  readonly localUrl: string;
  readonly ca: string;
  readonly base: string;
  readonly admin: Client;
  /** A person with the password `Pw-of-NAME-1`; their distinguished name. */
  person(name: string, over?: Record<string, string>): Promise<string>;
  group(name: string, ...members: readonly string[]): Promise<string>;
  set(dn: string, type: string, ...values: readonly string[]): Promise<void>;
  add(dn: string, type: string, ...values: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Provisions a domain and starts it, on an address of this machine of its own. */
export async function startActiveDirectory(): Promise<ActiveDirectory> {
  const folder = mkdtempSync(join(tmpdir(), 'placet-samba-'));
  const address = `127.66.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const certificate = makeCertificate(folder, 'DNS:dc1.corp.test', 'DNS:localhost', `IP:${address}`);
  chmodSync(certificate.keyFile, 0o600);
  const options = [
    `interfaces=${address}/8`,
    'bind interfaces only=yes',
    'vfs objects=dfs_samba4 acl_xattr xattr_tdb',
    `xattr_tdb:file=${folder}/xattr.tdb`,
    `posix:eadb=${folder}/eadb.tdb`,
  ].map((option) => `--option=${option}`);
  const domain = ['--realm=CORP.TEST', '--domain=CORP', '--server-role=dc', '--dns-backend=NONE'];
  const host = ['--host-name=dc1', `--host-ip=${address}`, `--adminpass=${ADMINISTRATOR.password}`];
  execFileSync(TOOL, ['domain', 'provision', ...domain, ...host, `--targetdir=${folder}/dc`, ...options], {
    stdio: 'pipe',
  });
  const run = [
    'server services=ldap',
    `tls keyfile=${certificate.keyFile}`,
    `tls certfile=${certificate.file}`,
    `tls cafile=${certificate.file}`,
    `pid directory=${folder}`,
    `ncalrpc dir=${folder}/ncalrpc`,
    `log file=${folder}/log`,
  ].map((option) => `--option=${option}`);
  const program = new Program(SAMBA, ['-i', '--debug-stdout', '-d', '1', '-s', `${folder}/dc/etc/smb.conf`, ...run], {
    host: address,
    port: 636,
  });
  await program.start();
  const local = await forward(address, 636);
  const base = 'DC=corp,DC=test';
  const url = `ldaps://${address}`;
  const admin = new Client({ url, tlsOptions: { ca: certificate.pem } });
  await admin.bind(ADMINISTRATOR.name, ADMINISTRATOR.password);
  const change =
    (operation: 'add' | 'replace') =>
    (dn: string, type: string, ...values: readonly string[]) =>
      admin.modify(dn, new Change({ operation, modification: new Attribute({ type, values: [...values] }) }));
  const account = async (name: string, password: string, over: Record<string, string>): Promise<string> => {
    const dn = `CN=${name},OU=app,${base}`;
    const unicodePwd = Buffer.from(`"${password}"`, 'utf16le');
    const usual = { sAMAccountName: name, userPrincipalName: `${name}@corp.test`, userAccountControl: '512' };
    const attributes = Object.entries({ objectClass: 'user', ...usual, ...over }).map(
      ([type, value]) => new Attribute({ type, values: [value] }),
    );
    await admin.add(dn, [...attributes, new Attribute({ type: 'unicodePwd', values: [unicodePwd] })]);
    return dn;
  };
  await admin.add(`OU=app,${base}`, { objectClass: 'organizationalUnit' });
  await account('placet', AD_READER.password, {});
  return {
    url,
    plainUrl: `ldap://${address}`,
    localUrl: `ldaps://localhost:${(local.address() as AddressInfo).port}`,
    ca: certificate.pem,
    base,
    admin,
    person: (name, over = {}) => account(name, `Pw-of-${name}-1`, over),
    async group(name, ...members) {
      const dn = `CN=${name},OU=app,${base}`;
      await admin.add(dn, { objectClass: 'group', sAMAccountName: name });
      if (members.length > 0) await change('add')(dn, 'member', ...members);
      return dn;
    },
    set: change('replace'),
    add: change('add'),
    async close() {
      await admin.unbind().catch(() => undefined);
      local.close();
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Hands on what comes in at this machine's own address. */
async function forward(host: string, port: number): Promise<Server> {
  const server = createServer((client) => {
    const upstream = connect(port, host);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
