package io.spillway.platform.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Parameter counts against published ones. Origins: the counts that Hugging Face shows for the
/// safetensors of each model (sum of all stored elements, shared ones once), and for the GPT sizes
/// table 1 of Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters
/// Using Megatron-LM", SC 2021, in billions.
final class ParameterCountGoldenTest {
  @ParameterizedTest
  @CsvSource({
    "gpt2, 124439808",
    "gpt2-xl, 1557611200",
    "llama-2-7b, 6738415616",
    "llama-2-13b, 13015864320",
    "llama-2-70b, 68976648192",
    "llama-3-8b, 8030261248",
    "llama-3-70b, 70553706496",
    "llama-3.1-405b, 405853388800",
    "mistral-7b, 7241732096",
    "mixtral-8x7b, 46702792704",
    "mixtral-8x22b, 140620634112",
    "qwen2-7b, 7615616512",
    "qwen3-8b, 8190735360",
    "qwen3-30b-a3b, 30532122624",
    "phi-3-mini, 3821079552",
    "gpt-neox-20b, 20554567680",
  })
  void countEveryElement(String name, long parameters) {
    assertThat(Models.find(name).parameters()).isEqualTo(parameters);
  }

  @ParameterizedTest
  @CsvSource({
    "gpt-1.7b, 1.7",
    "gpt-3.6b, 3.6",
    "gpt-7.5b, 7.5",
    "gpt-18.4b, 18.4",
    "gpt-39.1b, 39.1",
    "gpt-76.1b, 76.1",
    "gpt-145.6b, 145.6",
    "gpt-310.1b, 310.1",
    "gpt-529.6b, 529.6",
    "gpt-1t, 1008.0",
  })
  void matchTheTableOfNarayanan(String name, double billions) {
    assertThat(Models.find(name).parameters() / 1e9).isCloseTo(billions, within(0.051));
  }

  @Test
  void aMixtureUsesOnlyTheExpertsOfAToken() {
    // 12.9 billion active parameters: Jiang et al., "Mixtral of Experts", 2024, section 2.1 (13B)
    assertThat(Models.find("mixtral-8x7b").activeParameters() / 1e9).isCloseTo(12.9, within(0.05));
  }
}
