import type { Command } from 'commander';

import type { Field } from '../fields';
import { CREATED_FILTERS } from '../paging';
import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

interface AuditItem {
  readonly id: string;
  readonly at: string;
  readonly key_id: string | null;
  readonly action: string;
  readonly resource: string;
  readonly resource_id: string | null;
}

const AUDIT_LOG: Resource<AuditItem> = {
  what: 'audit_entry',
  path: '/audit-log',
  paged: true,
  columns: [
    { title: 'AT', value: ({ at }) => at },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'RESOURCE', value: ({ resource }) => resource },
    { title: 'ID', value: (row) => row.resource_id },
    { title: 'KEY', value: (row) => row.key_id },
  ],
};

const FILTERS: readonly Field[] = [
  { name: 'resource', flags: '--resource <kind>', help: 'such as agent' },
  { name: 'resource_id', flags: '--resource-id <id>' },
  { name: 'action', flags: '--action <action>', help: 'such as create, update, delete' },
  ...CREATED_FILTERS,
];

export function addAuditCommands(program: Command, session: CliSession): void {
  const group = program.command('audit').description('who changed what');
  const commands = new ResourceCommands(group, session, AUDIT_LOG);
  commands.list('changes, newest first; before and after with --json', FILTERS);
}
