import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { API_KEY_PATTERN } from '#identity';
import { Public } from '../../http/rights.js';

const patternSchema = z
  .object({
    pattern: z.string().meta({ description: 'A regular expression that every key matches, and hardly anything else.' }),
    checksum: z.string().meta({ description: 'How a scanner can tell a key from what only looks like one.' }),
  })
  .meta({ id: 'KeyPattern' });

/** What keys look like, for scanners that search for leaked ones. */
@Controller('.well-known/placet-key-pattern')
@ApiTags('keys')
export class KeyPatternController {
  @Get()
  @Public()
  @Header('Cache-Control', 'max-age=300')
  @ApiOperation({ summary: 'What an API key looks like, for secret scanners' })
  @ApiOkResponse({ standardSchema: patternSchema })
  get(): z.output<typeof patternSchema> {
    return {
      pattern: API_KEY_PATTERN.source,
      checksum:
        'the last 6 characters: CRC-32 of all before them, in base 62 with the digits 0-9A-Za-z, most significant first',
    };
  }
}
