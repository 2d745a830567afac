import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { makeCertificate } from './certificate.js';
import { freePort, isInstalled, Program } from './program.js';

const SLAPD = '/usr/sbin/slapd';

/** Whether there is an OpenLDAP to test with. */
export const hasOpenLdap = isInstalled(SLAPD, '/usr/bin/openssl');

/** The account that Placet reads with. */
export const READER = { dn: 'cn=placet,ou=services,dc=ex,dc=test', password: 'the-password-of-the-reader' };

/** A real OpenLDAP with a few people. */
export interface OpenLdap {
  /** `ldap:`, on which StartTLS can be asked for. */
  readonly url: string;
  readonly tlsUrl: string;
  readonly ca: string;
  readonly base: string;
  /** As its administrator. */
  readonly admin: Client;
  person(uid: string, over?: Record<string, string | string[]>): Promise<string>;
  group(cn: string, ...members: readonly string[]): Promise<string>;
  set(dn: string, type: string, ...values: readonly string[]): Promise<void>;
  /** Stops to answer, as when a machine is away. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts one, below `dc=ex,dc=test`.
 * @param names for which its certificate is good
 */
export async function startOpenLdap(names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1']): Promise<OpenLdap> {
  const folder = mkdtempSync(join(tmpdir(), 'placet-slapd-'));
  const certificate = makeCertificate(folder, ...names);
  mkdirSync(join(folder, 'db'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'slapd.conf'), configuration(folder, certificate.file, certificate.keyFile));
  const [url, tlsUrl] = [`ldap://localhost:${port}`, `ldaps://localhost:${tlsPort}`];
  const listen = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
  const program = new Program(SLAPD, ['-f', join(folder, 'slapd.conf'), '-h', listen, '-d', '0'], {
    host: '127.0.0.1',
    port,
  });
  await program.start();
  const base = 'dc=ex,dc=test';
  const admin = new Client({ url: `ldap://127.0.0.1:${port}`, autoRebind: true });
  await admin.bind(`cn=admin,${base}`, 'secret');
  await admin.add(base, { objectClass: ['dcObject', 'organization'], dc: 'ex', o: 'ex' });
  for (const ou of ['people', 'groups', 'services'])
    await admin.add(`ou=${ou},${base}`, { objectClass: 'organizationalUnit', ou });
  await admin.add(READER.dn, {
    objectClass: ['applicationProcess', 'simpleSecurityObject'],
    cn: 'placet',
    userPassword: READER.password,
  });
  return {
    url,
    tlsUrl,
    ca: certificate.pem,
    base,
    admin,
    async person(uid, over = {}) {
      const dn = `uid=${uid},ou=people,${base}`;
      const usual = {
        uid,
        cn: `${uid} Example`,
        sn: 'Example',
        mail: `${uid}@example.com`,
        userPassword: `pw-of-${uid}`,
      };
      await admin.add(dn, { objectClass: ['inetOrgPerson', 'shadowAccount'], ...usual, ...over });
      return dn;
    },
    async group(cn, ...members) {
      const dn = `cn=${cn},ou=groups,${base}`;
      await admin.add(dn, { objectClass: 'groupOfNames', cn, member: [...members] });
      return dn;
    },
    set: (dn, type, ...values) =>
      admin.modify(
        dn,
        new Change({ operation: 'replace', modification: new Attribute({ type, values: [...values] }) }),
      ),
    away: () => program.stop(),
    back: () => program.start(),
    async close() {
      await admin.unbind().catch(() => undefined);
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A few entries at once, and no more: what asks for more than that has to ask for pages. */
const configuration = (folder: string, certificate: string, key: string): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
TLSCertificateFile ${certificate}
TLSCertificateKeyFile ${key}
sizelimit size.soft=10 size.hard=10 size.pr=1000 size.prtotal=unlimited
allow bind_anon_cred bind_anon_dn
database mdb
suffix dc=ex,dc=test
rootdn cn=admin,dc=ex,dc=test
rootpw secret
directory ${join(folder, 'db')}
maxsize 104857600
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${READER.dn}" read by * none
`;
