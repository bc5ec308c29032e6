package io.spillway.planner.validate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.LearnedMemory;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.MlpCorrection;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.TestData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ValidationTest {
  @TempDir Path folder;

  @Test
  void latencyOfUnseenModelsIsWithinEightPercent() {
    List<Measured> rows = VtrainFile.read(TestData.require("cluster/vtrain-measured.csv"));
    assertThat(Statistics.mape(Fit.leaveOneGroupOut(rows))).isLessThan(0.08);
    assertThat(Statistics.mape(Fit.errors(rows, Calibration.builtIn()))).isLessThan(0.06);
  }

  @Test
  void memoryWithTheShippedCorrectionIsWithinEightPercent() {
    List<Measured> all = SailorFile.read(TestData.require("cluster/sailor-measured.csv"));
    // one row says that its reduction takes as long as its iteration
    List<Measured> rows = all.stream().filter(r -> r.doubt().isEmpty()).toList();
    assertThat(rows).hasSize(all.size() - 1);
    assertThat(Statistics.mape(MemoryFit.errors(rows, MemoryModel.builtIn()))).isLessThan(0.06);
    for (MemoryFit.Learner learner : List.of(MemoryFit.Learner.NONE, MemoryFit.Learner.KERNEL)) {
      double[] left = MemoryFit.leaveOneOut(rows, learner, new Seeds(1));
      assertThat(Statistics.mape(left)).as("%s", learner).isLessThan(0.08);
    }
  }

  @Test
  void whatIsLearnedAnewIsWhatIsShipped() {
    LearnedMemory learned = Validation.learnMemory(TestData.require("cluster/sailor-measured.csv"));
    LearnedMemory shipped = LearnedMemory.builtIn();
    assertThat(learned.constants().allocator())
        .isCloseTo(shipped.constants().allocator(), within(1e-6));
    assertThat(learned.constants().peer()).isCloseTo(shipped.constants().peer(), within(1e3));
    assertThat(learned.correction().weights()).hasSameSizeAs(shipped.correction().weights());
  }

  @Test
  void trialsAreRankedBetterThanByAmpOnTheUnevenCluster() {
    var report =
        Validation.of(
            TestData.require("cluster/amp-trials.csv"),
            Calibration.builtIn(),
            false,
            MemoryFit.Learner.NONE,
            new Seeds(1));
    assertThat((Double) report.figures().get("homogeneous: rank correlation")).isGreaterThan(0.8);
    assertThat((Double) report.figures().get("het_cluster: rank correlation"))
        .isGreaterThan(
            (Double) report.figures().getOrDefault("het_cluster: rank correlation of AMP", 1.0));
  }

  @Test
  void aPerceptronLearnsASmoothCorrection() {
    List<double[]> features = new java.util.ArrayList<>();
    double[] targets = new double[20];
    for (int i = 0; i < 20; i++) {
      features.add(new double[] {i % 5, i / 5});
      targets[i] = 0.1 * (i % 5) - 0.05 * (i / 5);
    }
    MlpCorrection net = MlpCorrection.train(features, targets, new Seeds(2));
    for (int i = 0; i < 20; i++) {
      assertThat(Math.log(net.factor(features.get(i)))).isCloseTo(targets[i], within(0.05));
    }
  }

  @Test
  void theCorrectionFadesFarFromMeasurements() {
    assertThat(LearnedMemory.builtIn().correction().factor(new double[] {20, 20, 20, 20, 40, 20}))
        .isCloseTo(1, within(1e-9));
  }

  @Test
  void ranksShareTheirMeanWhenValuesAreEqual() {
    // worked by hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4
    assertThat(Statistics.rankCorrelation(new double[] {1, 2, 2, 3}, new double[] {1, 2, 3, 4}))
        .isCloseTo(4.5 / Math.sqrt(4.5 * 5), within(1e-12));
    assertThat(Statistics.topRegret(new double[] {3, 1, 2}, new double[] {2, 3, 4})).isEqualTo(0.5);
  }

  @Test
  void badFilesAreClearErrors() throws Exception {
    fails("a,b\n1,2\n", "unknown columns");
    fails("", "the file is empty");
    fails("a,b\n", "no rows after the header");
    fails("a,b\n1\n", "1 cells, the header has 2");
    fails("iteration time (ms),micro batch\nx,1\n", "column 'attention heads' is missing");
    assertThatThrownBy(() -> Csv.read(folder.resolve("none.csv")))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("no such file");
  }

  private void fails(String text, String message) throws Exception {
    Path file = Files.writeString(folder.resolve("f.csv"), text);
    assertThatThrownBy(() ->
            Validation.of(
                file, Calibration.builtIn(), false, MemoryFit.Learner.KERNEL, new Seeds(1)))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining(message);
  }
}
