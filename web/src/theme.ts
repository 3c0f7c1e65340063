import { createTheme, type MantineColorsTuple } from '@mantine/core';

const mito: MantineColorsTuple = [
  '#e6f9f3',
  '#d2eee5',
  '#a6dbca',
  '#77c8ad',
  '#50b895',
  '#38ae86',
  '#27a67d',
  '#18916b',
  '#07805d',
  '#006f4f',
];

// Surfaces with a trace of green, so that cards, inputs and menus belong together.
const dark: MantineColorsTuple = [
  '#d5dbd9',
  '#b6bebb',
  '#8f9895',
  '#6a7471',
  '#3e4845',
  '#323a38',
  '#262d2b',
  '#1d2221',
  '#161a19',
  '#101312',
];

// The heading of a dialog is no second banner of the page.
const NO_BANNER = { header: { role: 'presentation' } };

/** Colours, type and the defaults of components. System fonts alone: nothing is fetched. */
export const theme = createTheme({
  primaryColor: 'mito',
  primaryShade: 8,
  colors: { mito, dark },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  autoContrast: true,
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } },
  },
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Drawer: { defaultProps: { position: 'right', size: 'lg', attributes: NO_BANNER } },
    Modal: { defaultProps: { centered: true, attributes: NO_BANNER } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});
