export { authnRequestUrl } from './authn-request.js';
export { isUnsolicited } from './guard.js';
export { NAME_FORMATS } from './names.js';
export { readProviderMetadata, type ProviderMetadata } from './provider-metadata.js';
export { MAX_XML_BYTES } from './read-xml.js';
export { SamlRefused, type SamlFault } from './saml-refused.js';
export { selfSigned } from './self-signed.js';
export { serviceMetadata } from './service-metadata.js';
export { verifyResponse, type VerifiedResponse } from './verify-response.js';
