export { ALLOWED, anAnswer, APPROVED, aRequest, ASKED, DENIED, PENDING } from './answers.js';
export { httpServer, json, type HttpServer } from './http-server.js';
export { scriptedPlacet, type ScriptedPlacet } from './scripted-placet.js';
