// A small MCP server over stdio with data in memory that plays the company's database, mail or CRM server.
// Usage: node company-server.js database-server|mail-server|crm JOURNAL
// Each call that reaches it becomes a line of the journal, so that the demo can prove what did not.
import { appendFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const [role, journal] = process.argv.slice(2) as [string, string];

const received = (call: string): void => appendFileSync(journal, `${role} ${call}\n`);

const says = (text: string) => ({ content: [{ type: 'text' as const, text }] });

const customers = new Map([
  [41, { name: 'Ilse Aigner', region: 'emea' }],
  [42, { name: 'Kenji Mori', region: 'apac' }],
]);

const ROLES: Readonly<Record<string, (server: McpServer) => void>> = {
  'database-server': (server) => {
    server.registerTool('query', { inputSchema: z.object({ region: z.string() }) }, ({ region }) => {
      received('query');
      const found = [...customers].filter(([, customer]) => customer.region === region);
      return says(found.map(([id, { name }]) => `${id} ${name}`).join(', '));
    });
    server.registerTool('read_record', { inputSchema: z.object({ id: z.number() }) }, ({ id }) => {
      received('read_record');
      return says(customers.get(id)?.name ?? 'no such record');
    });
    server.registerTool('delete_database_record', { inputSchema: z.object({ id: z.number() }) }, ({ id }) => {
      received('delete_database_record');
      return says(customers.delete(id) ? `record ${id} is gone` : 'no such record');
    });
    server.registerTool('drop_table', { inputSchema: z.object({ table: z.string() }) }, ({ table }) => {
      received('drop_table');
      customers.clear();
      return says(`${table} is gone`);
    });
  },

  'mail-server': (server) => {
    const mail = z.object({ recipients: z.array(z.string()), subject: z.string(), body: z.string() });
    server.registerTool('send_email', { inputSchema: mail }, ({ recipients }) => {
      received('send_email');
      return says(`sent to ${recipients.join(', ')}`);
    });
    server.registerTool('execute_system_command', { inputSchema: z.object({ command: z.string() }) }, () => {
      received('execute_system_command');
      return says('done');
    });
  },

  crm: (server) => {
    for (const region of ['emea', 'apac']) {
      const uri = `db://customers/${region}`;
      server.registerResource(`customers-${region}`, uri, { mimeType: 'application/json' }, () => {
        received(`read ${uri}`);
        const records = [...customers.values()].filter((customer) => customer.region === region);
        return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(records) }] };
      });
    }
  },
};

serveStdio(() => {
  const server = new McpServer({ name: role, version: '1.0.0' });
  ROLES[role]!(server);
  return server;
});
