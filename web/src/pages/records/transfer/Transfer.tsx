import { Tabs } from '@mantine/core';
import { Page } from '@/components/Page';
import { ExportCollections } from './ExportCollections';
import { ImportCollections } from './ImportCollections';

/** Structures of collections from and to files. */
export default function Transfer() {
  return (
    <Page
      title="Import and export"
      lead="The structure of collections as JSON; records are exported from their own page"
      crumbs={[{ label: 'Collections', href: '/records' }]}
    >
      <Tabs defaultValue="import" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="import">Import</Tabs.Tab>
          <Tabs.Tab value="export">Export</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="import">
          <ImportCollections />
        </Tabs.Panel>
        <Tabs.Panel value="export">
          <ExportCollections />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
