import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public } from '../../http/rights.js';
import { PublicAddress } from '../../http/public-address.js';
import { ACCESS_REQUEST_CAPABILITY, REQUESTS_PATH } from './access-request.js';
import { CUSTOM_NAMES, PROFILE_TYPES } from './obligations.js';

const metadataSchema = z
  .object({
    policy_decision_point: z.string(),
    access_evaluation_endpoint: z.string(),
    access_evaluations_endpoint: z.string(),
    access_request_endpoint: z.string(),
    search_subject_endpoint: z.string(),
    search_resource_endpoint: z.string(),
    search_action_endpoint: z.string(),
    capabilities: z.array(z.string()),
    supported_obligations: z.array(z.string()),
    supported_custom_obligations: z
      .array(z.string())
      .meta({ description: 'The names in `properties.name` of obligations of the type `custom`.' }),
  })
  .meta({ id: 'AuthzenConfiguration' });

/** Where the AuthZEN API is (Authorization API 1.0, section 9), and which obligations it can answer with. What we cannot do is not listed. */
@Controller('.well-known/authzen-configuration')
@ApiTags('authzen')
export class MetadataController {
  constructor(private readonly address: PublicAddress) {}

  @Get()
  @Public()
  @Header('Cache-Control', 'max-age=300')
  @ApiOperation({ summary: 'AuthZEN metadata' })
  @ApiOkResponse({ standardSchema: metadataSchema })
  get(): z.output<typeof metadataSchema> {
    const { url } = this.address;
    return {
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${url}/access/v1/evaluations`,
      access_request_endpoint: url + REQUESTS_PATH,
      search_subject_endpoint: `${url}/access/v1/search/subject`,
      search_resource_endpoint: `${url}/access/v1/search/resource`,
      search_action_endpoint: `${url}/access/v1/search/action`,
      capabilities: [ACCESS_REQUEST_CAPABILITY],
      supported_obligations: [...PROFILE_TYPES],
      supported_custom_obligations: [...CUSTOM_NAMES],
    };
  }
}
