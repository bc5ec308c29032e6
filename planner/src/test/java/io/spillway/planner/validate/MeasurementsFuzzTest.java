package io.spillway.planner.validate;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.planner.cost.Calibration;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A table of measurements from a stranger is compared or refused with one line. `bench/fuzz`
/// searches for new inputs.
final class MeasurementsFuzzTest {
  private static final String SOUND =
      VtrainFile.MARK
          + ",attention heads,# layers,hidden size,Parameters (billion),sequence length,# GPUs,"
          + "global batch,tensor parallelism,pipeline parallelism,data parallelism,micro batch\n"
          + "1000,32,32,4096,6.7,2048,64,128,8,1,8,4\n";

  @FuzzTest
  void table(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".csv");
    try {
      Files.writeString(file, Damage.of(SOUND, data));
      Validation.of(file, Calibration.builtIn(), false, MemoryFit.Learner.NONE, new Seeds(1));
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    } finally {
      Files.delete(file);
    }
  }
}
