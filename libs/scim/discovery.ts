import { GROUP, USER, type Attribute, type ResourceKind } from './attributes.js';

const KINDS = [USER, GROUP] as const;

/** Most resources of one page. */
export const MAX_RESULTS = 500;

/** What the service can do (RFC 7643 §5). */
export const serviceProviderConfig = (base: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_RESULTS },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of one connector, made by POST /api/v1/connector-tokens',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

/** The kinds of resources (RFC 7643 §6). */
export const resourceTypes = (base: string) =>
  KINDS.map(({ name, schema, endpoint, description }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint,
    description,
    schema,
    schemaExtensions: [],
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  }));

/** The attributes that are kept (RFC 7643 §7). */
export const schemas = (base: string) => KINDS.map((kind) => schemaOf(kind, base));

const schemaOf = ({ name, schema, description, attributes }: ResourceKind, base: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id: schema,
  name,
  description,
  attributes: attributes.map(described),
  meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema}` },
});

const described = (attribute: Attribute): object => ({
  name: attribute.name,
  type: attribute.type,
  multiValued: attribute.multiValued === true,
  description: attribute.description,
  required: attribute.required === true,
  caseExact: attribute.caseExact === true,
  mutability: attribute.readOnly === true ? 'readOnly' : 'readWrite',
  returned: 'default',
  uniqueness: attribute.uniqueness ?? 'none',
  ...(attribute.subAttributes ? { subAttributes: attribute.subAttributes.map(described) } : {}),
});
