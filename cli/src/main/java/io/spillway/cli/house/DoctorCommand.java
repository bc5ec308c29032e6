package io.spillway.cli.house;

import io.spillway.cli.SpillwayCommand;
import io.spillway.report.TextTable;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/// Looks at this machine and says what will and will not work, and how to mend it.
@Command(
    name = "doctor",
    description =
        "Look at this machine (runtime, memory, libtorch, GPUs, measured rates) and say what works.")
public final class DoctorCommand extends SpillwayCommand {
  private boolean broken;

  @Override
  protected void execute() {
    List<Finding> findings = new ArrayList<>(HostChecks.all());
    findings.addAll(TorchChecks.all());
    broken = findings.stream().anyMatch(f -> f.state() == Finding.State.BAD);
    TextTable table = new TextTable("subject", "state", "found");
    StringBuilder advice = new StringBuilder();
    for (Finding f : findings) {
      table.row(f.subject(), f.state().word(), f.value());
      if (!f.advice().isEmpty()) {
        advice.append("  ").append(f.subject()).append(": ").append(f.advice()).append('\n');
      }
    }
    String mend =
        advice.isEmpty() ? "\nEverything works here." : "\nTo mend or to know:\n" + advice;
    answer(findings, table.render(io.spillway.report.Terminal.width()) + mend);
  }

  @Override
  protected int exitStatus() {
    return broken ? 3 : 0;
  }
}
