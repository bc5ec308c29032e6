package io.spillway.reservoir.events;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.ReservoirTrainer;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.testkit.Damage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Damaged HDF5 files and damaged models are read or refused with one line. `bench/fuzz` searches
/// for new inputs.
final class StoredFilesFuzzTest {
  private static final byte[] HDF5 = heidelberg();

  /// Made by the first call: training runs on other threads, which a static initialiser would
  /// block.
  private static byte @Nullable [] model;

  @FuzzTest
  void hdf5(byte[] data) {
    file(
        ".h5",
        Damage.of(HDF5, data),
        path -> {
          try (SpikeFile file = SpikeFile.open(path)) {
            for (int i = 0; i < file.size(); i++) {
              file.read(i);
            }
          }
        });
  }

  @FuzzTest
  void model(byte[] data) {
    if (model == null) {
      model = trained();
    }
    file(".rsv", Damage.of(model, data), ReservoirModel::load);
  }

  private static byte[] heidelberg() {
    try (InputStream in = StoredFilesFuzzTest.class.getResourceAsStream("shd-layout.h5")) {
      return Objects.requireNonNull(in).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] trained() {
    RecordingSet set =
        RecordingSet.of(
            Path.of("made"),
            IntStream.range(0, 8).mapToObj(Integer::toString).toList(),
            List.of("a", "b", "a", "b", "a", "b", "a", "b"),
            i ->
                Saccades.record(
                    DrawnDigits.draw(i % 2, new Seeds(i).stream("hand")),
                    PixelModel.NMNIST,
                    new Seeds(i).stream("camera")));
    LiquidConfig small = LiquidConfig.LOCAL_NMNIST.withNeurons(16);
    try {
      Path file = Files.createTempFile("fuzz", ".rsv");
      ReservoirTrainer.train(
              set, small, Framing.NMNIST, new Engine.Sparse(), new Seeds(1), Progress.silent())
          .model()
          .save(file);
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void file(String suffix, byte[] bytes, Consumer<Path> reader) {
    try {
      Path file = Files.createTempFile("fuzz", suffix);
      try {
        Files.write(file, bytes);
        reader.accept(file);
      } catch (SpillwayException e) {
        if (String.valueOf(e.getMessage()).contains("\n")) {
          throw new AssertionError("more than one line: " + e.getMessage(), e);
        }
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
