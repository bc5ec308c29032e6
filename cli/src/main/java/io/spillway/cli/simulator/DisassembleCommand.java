package io.spillway.cli.simulator;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.Listing;
import io.spillway.simulator.machine.ElfImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `simulate disassemble`: the instructions of a program.
@Command(name = "disassemble", description = "Print the instructions of a program.")
public final class DisassembleCommand extends SpillwayCommand {
  @Parameters(paramLabel = "PROGRAM", description = "A static RISC-V ELF program.")
  private Path program = Path.of("");

  @Option(
      names = "--from",
      paramLabel = "ADDRESS",
      description = "First address, 0x for hexadecimal. Default: the beginning.")
  private String from = "0";

  @Option(
      names = "--to",
      paramLabel = "ADDRESS",
      description = "The address to stop before. Default: the end.")
  private String to = Long.toString(Long.MAX_VALUE);

  @Option(
      names = "--symbol",
      paramLabel = "NAME",
      description = "Only the function of that name. Default: all.")
  private @Nullable String symbol;

  @Override
  protected void execute() {
    ElfImage image = ElfImage.read(program);
    long first = address("--from", from);
    long end = address("--to", to);
    if (symbol != null) {
      String name = symbol;
      first =
          image.symbols().all().entrySet().stream()
              .filter(e -> e.getValue().equals(name))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElseThrow(() -> SpillwayException.badInput("%s has no symbol %s", program, name));
      long start = first;
      Optional<Long> next =
          image.symbols().all().keySet().stream().filter(a -> a > start).findFirst();
      end = next.orElse(end);
    }
    List<Listing.Line> lines = Listing.of(image, first, end);
    StringBuilder text = new StringBuilder();
    for (Listing.Line line : lines) {
      if (!line.symbol().isEmpty()) {
        text.append(String.format("%n%016x <%s>:%n", line.address(), line.symbol()));
      }
      String word = String.format(line.bytes() == 2 ? "%04x" : "%08x", line.word());
      text.append(String.format("%10x:  %-8s  %s%n", line.address(), word, line.text()));
    }
    answer(lines, text.toString());
  }

  private static long address(String option, String text) {
    try {
      return Long.decode(text);
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput("%s %s is no address", option, text);
    }
  }
}
