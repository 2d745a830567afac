export { DELIVERY_OUTCOMES, type Delivery, type DeliveryOutcome, type PrivateWebhooks } from './delivery.js';
export { Notifier, type NotifierEvents } from './notifier.js';
