/**
 * What the HTTP servers of this project have in common: schemas of routes, strict JSON, and how a call is refused.
 * @module
 */
export { asCountersignError, errorBody, type OwnWords, refuse, routeUnknown } from './refusals.ts';
export { useStrictJson } from './strict-json.ts';
export { describeSchema, useValibot, type ValibotFastify } from './valibot-fastify.ts';
