import type { ToolDocument } from '../documents/schema.js';
import { compileSchema } from '../documents/tool-schema.js';
import type { Json, JsonObject } from '../model.js';

/** A registered tool and the question whether arguments fit it. */
export interface RegisteredTool {
  readonly document: ToolDocument;
  fits(value: Json): boolean;
}

/** The schema is compiled at the first call of the tool: ten thousand tools would take minutes at start. */
export function registeredTool(document: ToolDocument): RegisteredTool {
  let fits: ((value: Json) => boolean) | undefined;
  return {
    document,
    fits: (value) => {
      if (!document.inputSchema) return true;
      try {
        fits ??= compileSchema(document.inputSchema as JsonObject);
        return fits(value);
      } catch {
        return false;
      }
    },
  };
}
