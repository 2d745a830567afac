import { Controller, Get, Injectable } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { suggestionsOf, type Suggestion } from '#consent';
import { may, type AdministratorPrincipal } from '#identity';
import { operationWord } from '#mcp';
import type { Snapshots } from '#snapshot';
import { ConsentStatistics, type Store } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';

const suggestionsSchema = z
  .object({
    items: z.array(
      z.object({
        policy: z.string(),
        rule: z.string(),
        days: z.int(),
        answers: z.int().meta({ description: 'To asks of this rule alone, in so many days.' }),
        agreed: z.int(),
        needless: z.int().meta({ description: 'Answers that would not have been needed.' }),
        document: z.string().meta({ description: 'The Policy as it could be, in YAML: read it before you save it.' }),
      }),
    ),
  })
  .meta({ id: 'ConsentSuggestions' });

/** What could be asked less. */
@Injectable()
export class SuggestionsService {
  readonly #statistics: ConsentStatistics;

  constructor(
    store: Store,
    private readonly snapshots: Snapshots,
  ) {
    this.#statistics = new ConsentStatistics(store);
  }

  async of(tenant: string): Promise<readonly Suggestion[]> {
    const { policies } = await this.snapshots.of(tenant);
    return suggestionsOf(this.#statistics, tenant, policies, operationWord);
  }
}

/** Drafts of policies that would ask less, by how people have answered. Nothing is saved here. */
@Controller('api/v1/consents/suggestions')
@ApiTags('consent')
@ApiBearerAuth()
export class SuggestionsController {
  constructor(private readonly suggestions: SuggestionsService) {}

  @Get()
  @Requires('read', 'Policy', { each: true })
  @ApiOperation({ summary: 'Policies that would have made needless what people agreed to again and again' })
  @ApiOkResponse({ standardSchema: suggestionsSchema })
  async list(@Caller() { tenant, ability }: AdministratorPrincipal): Promise<z.output<typeof suggestionsSchema>> {
    const found = await this.suggestions.of(tenant);
    return { items: found.filter(({ policy }) => may(ability, 'read', 'Policy', policy)) };
  }
}
