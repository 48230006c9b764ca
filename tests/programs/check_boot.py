"""ph boot: a shell on our terminal."""

from ph.testing.vm import ph_run_on_terminal


def check_shell_works_and_its_status_is_ours():
    done = ph_run_on_terminal([], [('# ', 'echo $((6 * 7)); pwd\r'),
                                   ('42\r\n/\r\n(?s:.*)# ', 'exit 4\r')], command='boot')
    assert done.status == 4, f'{done.status}: {done.stdout}'


def check_ctrl_a_x_ends_it():
    done = ph_run_on_terminal([], [('# ', '\x01x')], command='boot')
    assert done.status == 130, f'{done.status}: {done.stdout}'


def check_ctrl_a_twice_is_ctrl_a():
    keys = [('# ', 'read x; echo "[${#x}]"\r'), (r'\n', '\x01\x01b\r'), (r'\[2\]', 'exit 0\r')]
    done = ph_run_on_terminal([], keys, command='boot')
    assert done.status == 0, f'{done.status}: {done.stdout}'
