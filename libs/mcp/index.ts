export { mapMessage } from './message.js';
export { listedItems, type ListedItem } from './listings.js';
export { MappingError, methodsOn, operationWord, type Operation } from './operations.js';
export type { Direction } from './dialects.js';
