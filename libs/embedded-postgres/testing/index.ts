export { leftBehind, stopped } from './directories.js';
export { Owner } from './owner.js';
export { installLibrary, type Installation } from './installation.js';
export {
  childrenOf,
  folder,
  hasOrdinaryUser,
  NOBODY,
  isRoot,
  postmaster,
  processes,
  query,
  takenPort,
  waitFor,
} from './machine.js';
