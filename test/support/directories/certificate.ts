import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key and a certificate that vouches for itself, in files. */
export interface Certificate {
  readonly keyFile: string;
  readonly file: string;
  /** PEM. */
  readonly pem: string;
}

/** Makes a certificate that is good for some names, as in `DNS:localhost`. */
export function makeCertificate(folder: string, ...names: readonly string[]): Certificate {
  const [keyFile, file] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', file, '-days', '30'];
  execFileSync('openssl', [...args, '-subj', '/CN=directory', '-addext', `subjectAltName=${names.join(',')}`], {
    stdio: 'pipe',
  });
  return { keyFile, file, pem: readFileSync(file, 'utf8') };
}
