export { shellWord } from '../../../shared/shell-word.ts';
