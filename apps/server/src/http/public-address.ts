/** Under which URL others reach the service. Known once it listens. */
export class PublicAddress {
  url = '';
}
