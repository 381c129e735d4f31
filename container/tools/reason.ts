/** Why something is asked of an admin: the one field that all such tools share. */
import { reasonSchema } from '../../shared/requests.ts';

export const reasonField = reasonSchema.describe('why you need it, in a sentence: an admin reads this and decides');
