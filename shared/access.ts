/**
 * What an agent may ask to reach outside: a host by its name, or a service. Never an address, never a place on this
 * machine or network: those an owner gives.
 */
import { z } from 'zod';

/** Characters of a path prefix. Higher: cards grow. Lower: deep interfaces cannot be named. */
export const MAX_PATH_PREFIX = 256;

/** The letters of a name, as DNS takes them; the last label begins with a letter, so that no form of an address passes. */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const TOP = '(?:xn--[a-z0-9-]{1,58}[a-z0-9]|[a-z]{2,63})';
const HOST_NAME = new RegExp(`^(?:${LABEL}\\.)+${TOP}$`);
const HOST_WILDCARD = new RegExp(`^\\*\\.(?:${LABEL}\\.)+${TOP}$`);
/** Longest name that DNS takes. */
const MAX_HOST = 253;

/** `api.example.com`, or `*.example.com` for the names below it. */
export const accessHostSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(MAX_HOST)
  .refine(
    (text) => HOST_NAME.test(text) || HOST_WILDCARD.test(text),
    'a full host name such as api.example.com, or *.example.com for the names below it: no address, port, path or scheme; other letters in their xn-- form',
  );

export const accessPortSchema = z.number().int().min(1).max(65_535);

export const ACCESS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const accessMethodsSchema = z.array(z.enum(ACCESS_METHODS)).min(1).max(ACCESS_METHODS.length);

/** Whole segments, each as it is: what can be spelt in two ways could be read in two ways. */
const PATH_PREFIX = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]+\/)*[A-Za-z0-9._~!$&'()*+,;=:@-]*$/;

/** A path without query, fragment, encodings, empty segments and dots that climb. */
export const accessPathSchema = z
  .string()
  .max(MAX_PATH_PREFIX)
  .refine(
    (text) => PATH_PREFIX.test(text) && !text.split('/').some((segment) => segment === '.' || segment === '..'),
    'a path such as /v1: without a query, %-encodings, // and ..',
  );

export const accessServiceSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the name of a service, such as github');
