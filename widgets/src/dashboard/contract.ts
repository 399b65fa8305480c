// The messages as JSON Schema, for the Python side's tests; no part of the bundle.
import { kernelMessage, viewMessage } from "./messages";

export const contract = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  description: "Written from widgets/src/dashboard/messages.ts by npm test -- --update; do not edit.",
  $defs: { from_kernel: kernelMessage.schema, from_view: viewMessage.schema },
};
