import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Refusal } from '#http';
import { resourceTypes, schemas, serviceProviderConfig } from '#scim';
import { PublicAddress } from '../http/public-address.js';
import { Connector } from '../http/rights.js';
import { SCIM_TYPE } from '../http/scim-errors.js';
import { idSchema, listBody, type IdParams, type ScimBody } from './wire.js';

/** What the service can do, and of what it keeps (RFC 7644 §4). */
@Controller('scim/v2')
@ApiExcludeController()
@Connector()
export class ScimDiscoveryController {
  constructor(private readonly address: PublicAddress) {}

  @Get('ServiceProviderConfig')
  @Header('Content-Type', SCIM_TYPE)
  config(): ScimBody {
    return serviceProviderConfig(this.#base);
  }

  @Get('ResourceTypes')
  @Header('Content-Type', SCIM_TYPE)
  types(): ScimBody {
    const all = resourceTypes(this.#base);
    return listBody(all, all.length, 1);
  }

  @Get('ResourceTypes/:id')
  @Header('Content-Type', SCIM_TYPE)
  type(@Param({ schema: idSchema }) { id }: IdParams): ScimBody {
    return found(resourceTypes(this.#base), id);
  }

  @Get('Schemas')
  @Header('Content-Type', SCIM_TYPE)
  schemas(): ScimBody {
    const all = schemas(this.#base);
    return listBody(all, all.length, 1);
  }

  @Get('Schemas/:id')
  @Header('Content-Type', SCIM_TYPE)
  schema(@Param({ schema: idSchema }) { id }: IdParams): ScimBody {
    return found(schemas(this.#base), id);
  }

  get #base(): string {
    return `${this.address.url}/scim/v2`;
  }
}

function found(all: readonly (ScimBody & { readonly id: string })[], id: string): ScimBody {
  const one = all.find((each) => each.id === id);
  if (!one) throw new Refusal('not_found', `there is no ${id.slice(0, 100)}`);
  return one;
}
