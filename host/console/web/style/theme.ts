import type { MantineColorsTuple } from '@mantine/core';
import { createTheme } from '@mantine/core';

/** Ink of a sea chart. */
const sea: MantineColorsTuple = [
  '#eef6fa',
  '#dceaf1',
  '#b9d5e3',
  '#8fbdd3',
  '#5fa0bd',
  '#3a84a4',
  '#276f90',
  '#1d5a75',
  '#184a60',
  '#123a4c',
];

export const theme = createTheme({
  colors: { sea },
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 5 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  // Fonts that are on the machine: the page loads nothing from elsewhere.
  fontFamily:
    "-apple-system, BlinkMacSystemFont, 'Segoe UI Variable Text', 'Segoe UI', Roboto, Cantarell, Ubuntu, 'Noto Sans', 'Liberation Sans', Arial, sans-serif",
  fontFamilyMonospace:
    "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, 'Liberation Mono', 'DejaVu Sans Mono', monospace",
  headings: { fontWeight: '600' },
});
