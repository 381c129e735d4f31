export { shellWord } from '../../config/shell-word.ts';
