// The sources as they are, in a process of their own: types are taken off on the way, and `x.js` stands for `x.ts`.
const FROM_SOURCES = `import { registerHooks } from 'node:module';
registerHooks({
  resolve: (name, { parentURL, ...context }, next) =>
    next(name[0] === '.' && parentURL?.endsWith('.ts') ? name.replace(/js$/, 'ts') : name, { parentURL, ...context }),
});`;
/** Arguments for Node with which it runs the sources as they are. */
export const FROM_THE_SOURCES = [
  '--conditions=placet-source',
  '--experimental-transform-types',
  '--disable-warning=ExperimentalWarning',
  `--import=data:text/javascript,${encodeURIComponent(FROM_SOURCES)}`,
];
