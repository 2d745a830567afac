import { readClientSettings } from '#config';
import { KeptSignIns } from '../kept-sign-ins.js';
import { openPage } from '../open-page.js';
import { plain, type Output } from '../output.js';
import { signIn, signOut } from '../sign-in.js';

/** `login`: signs a person in by a browser, which can be on another machine. */
export async function login(output: Output, tenant: string, browser: boolean): Promise<void> {
  const { url, configDirectory } = readClientSettings();
  const kept = new KeptSignIns(configDirectory);
  const done = await signIn(`${url}/t/${encodeURIComponent(tenant)}`, ({ url: page, completeUrl, code }) => {
    output.note(`open ${plain(page)} in a browser and enter the code ${plain(code)}`);
    if (browser) openPage(completeUrl);
  });
  kept.keep(url, done);
  output.note(`signed in to ${url}`);
}

/** `logout`: ends the sign-in on the side of the service, and forgets it here whatever the service says. */
export async function logout(output: Output): Promise<void> {
  const { url, configDirectory } = readClientSettings();
  const kept = new KeptSignIns(configDirectory);
  const present = kept.of(url);
  if (!present) return output.note(`nobody is signed in to ${url}`);
  kept.forget(url);
  await signOut(present);
  output.note(`signed out of ${url}`);
}
