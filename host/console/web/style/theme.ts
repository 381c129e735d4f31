import type { MantineColorsTuple } from '@mantine/core';
import { createTheme } from '@mantine/core';

/** Ink of a sea chart. */
const sea: MantineColorsTuple = [
  '#eef6fa',
  '#dceaf1',
  '#b9d5e3',
  '#8fbdd3',
  '#5fa0bd',
  '#2f7b9b',
  '#276f90',
  '#1d5a75',
  '#184a60',
  '#123a4c',
];

/** Of what takes something away: white on it, and it on paper, can be read (4.5:1 and more) in the light and the dark. */
const red: MantineColorsTuple = [
  '#fdf0ef',
  '#f9dcda',
  '#f2b8b4',
  '#ef958e',
  '#f07a72',
  '#c4453e',
  '#c23b37',
  '#b93232',
  '#9c2828',
  '#7d1f1f',
];

export const theme = createTheme({
  colors: { sea, red },
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
