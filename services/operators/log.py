"""`centralino log`: what is done to the log itself, after a restore and where rows are missing."""

import typer

from services.operators import gaps, generations

app = typer.Typer(
    no_args_is_help=True, help="The log itself: after a database was restored, and where rows are missing."
)
for command in (generations.new_generation, gaps.send_again, gaps.mend, gaps.accept_loss):
    app.command()(command)
