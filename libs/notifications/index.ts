export { type DeliveryOutcome } from './delivery.js';
export { Notifier } from './notifier.js';
