/** A statement that changes one place of a function of ours, and nothing else of it; it fails where the function is not what it was. */
export const replaced = (of: string, from: string, to: string): string => `
  do $patch$
  declare
    before text := pg_get_functiondef('placet.${of}'::regproc);
  begin
    if position($from$${from}$from$ in before) = 0 then
      raise exception 'placet: ${of} is not what it was';
    end if;
    execute replace(before, $from$${from}$from$, $to$${to}$to$);
  end $patch$`;
