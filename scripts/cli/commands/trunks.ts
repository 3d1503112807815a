import type { Command } from 'commander';

import type { CliSession } from '../session';
import type { Column } from '../table';
import { addInboundTrunkCommands, findInboundTrunk } from './inbound-trunk';
import { addOutboundTrunkCommands, OUTBOUND_TRUNKS, trunkStates } from './outbound-trunks';
import type { OutboundTrunkItem } from './outbound-trunks';
import { addTrunkCheckCommand } from './trunk-check';

const COLUMNS: readonly Column<OutboundTrunkItem & { readonly kind: string; readonly state?: string | undefined }>[] = [
  { title: 'KIND', value: ({ kind }) => kind },
  ...OUTBOUND_TRUNKS.columns,
  { title: 'HEALTH', value: ({ state }) => state },
];

export function addTrunkCommands(program: Command, session: CliSession): void {
  const { output } = session;
  const trunks = program.command('trunks').description('where calls come from, and the carriers they go to');
  trunks
    .command('list', { isDefault: true })
    .description('the inbound trunk and all outbound ones')
    .action(async () => {
      const inbound = await findInboundTrunk(session);
      const outbound = await session.api.get<OutboundTrunkItem[]>(OUTBOUND_TRUNKS.path);
      if (output.json) return output.value({ inbound, outbound });
      const first = inbound === null ? [] : [{ ...inbound, kind: 'inbound', name: inbound.sip_endpoint }];
      const states = await trunkStates(session, outbound);
      const rest = outbound.map((trunk) => ({ ...trunk, kind: 'outbound', state: states.get(trunk.id) }));
      output.table([...first, ...rest], COLUMNS);
      output.remarks(inbound ?? {});
    });
  addTrunkCheckCommand(trunks, session);
  const inbound = trunks.command('inbound').description('the trunk that a phone system or carrier calls');
  addInboundTrunkCommands(inbound, session);
  const outbound = trunks.command('outbound').description('the trunks that agents dial through');
  addOutboundTrunkCommands(outbound, session);
}
