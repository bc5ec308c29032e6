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
    String sailor =
        "cluster,model,nodes,gpu,pp,tp_per_stage,dp,mbs,gbs,iter_time_s,peak_mem_bytes,red_grads_s\n"
            + "clariden,GPT-NEO,16,GH-96,4,4/4/4/4,4/4/4/4,4,1024,7.03897,37281071104,0.06771\n";
    fails(sailor.replace("37281071104", "-5"), "f.csv:2: peak_mem_bytes is -5.0");
    fails(sailor.replace("37281071104", "inf"), "f.csv:2: peak_mem_bytes is Infinity");
    fails(sailor.replace("37281071104", "NaN"), "f.csv:2: peak_mem_bytes is 'NaN'");
    fails(sailor.replace("7.03897", "0"), "f.csv:2: iter_time_s is 0.0");
    fails(sailor.replace(",1024,", ",1023,"), "f.csv:2: a global batch of 1023 cannot be divided");
    fails(sailor.replace("4/4/4/4,4/", "3/3/3/3,4/"), "f.csv:2: tp 3 does not divide");
    fails(sailor.replace("4/4/4/4,4/", "4/4/4/2,4/"), "f.csv:2: tp_per_stage is '4/4/4/2'");
    fails(sailor.replace("GH-96", "GH-97"), "did you mean 'GH-96'");
    String vtrain =
        "Parameters (billion),# GPUs,global batch,micro batch,hidden size,attention heads,# layers,"
            + "sequence length,tensor parallelism,data parallelism,pipeline parallelism,"
            + "iteration time (ms)\n3.6,64,512,8,3072,32,30,2048,1,64,1,3566.5\n";
    fails(vtrain.replace("3566.5", "-1"), "f.csv:2: iteration time (ms) is -1.0");
    fails(vtrain.replace("3.6,64", "3.6,0"), "f.csv:2: # GPUs is 0.0");
    fails(vtrain.replace("3.6,64", "3.6,12"), "f.csv:2: tp 1 x cp 1 x dp 64 x pp 1 is 64 ranks");
    fails(vtrain.replace(",512,", ",500,"), "f.csv:2: a global batch of 500 cannot be divided");
    String amp = "experiment,mbs,tp,dp,pp,partition,amp_pred_s,real_s\n";
    fails(amp + "homogeneous,1,1,16,1,[0  30],1.2443,-1\n", "f.csv:2: real_s is -1.0");
    fails(amp + "homogeneous,3,1,16,1,[0  30],1.2443,1\n", "f.csv:2: a global batch of 32");
    fails(amp + "homogenous,1,1,16,1,[0  30],1.2443,1\n", "did you mean 'homogeneous'");
    fails(amp + "homogeneous,1,1,16,1,[0 9 30],1.2443,1\n", "f.csv:2: partition '0 9 30'");
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
