package io.spillway.simulator.system;

import io.spillway.platform.yaml.Default;

/// Branch prediction: direction, targets and returns.
///
/// @param direction which way a conditional branch goes
/// @param btb entries of the branch target buffer
/// @param btbTagBits width of its tags
/// @param returns entries of the return stack
/// @param indirectSets sets of the indirect target predictor
/// @param indirectWays its ways
/// @param indirectHistory bits of branch history that select a set
/// @param indirectPath earlier indirect targets that select a set
/// @param shift low address bits that no table looks at
/// @param shortBranchQuirk whether the out-of-order core learns a compressed branch that was not
///   taken, against its prediction, as taken, which gem5 23.1 does on RISC-V
public record Predictor(
    Direction direction,
    @Default("4096") int btb,
    @Default("16") int btbTagBits,
    @Default("16") int returns,
    @Default("256") int indirectSets,
    @Default("2") int indirectWays,
    @Default("13") int indirectHistory,
    @Default("3") int indirectPath,
    @Default("2") int shift,
    @Default("false") boolean shortBranchQuirk) {
  public Predictor {
    Require.powerOfTwo("predictor btb", btb);
    Require.between("predictor btb_tag_bits", btbTagBits, 1, 32);
    Require.between("predictor returns", returns, 1, 4096);
    Require.powerOfTwo("predictor indirect_sets", indirectSets);
    Require.between("predictor indirect_ways", indirectWays, 1, 64);
    Require.between("predictor indirect_history", indirectHistory, 0, 30);
    Require.between("predictor indirect_path", indirectPath, 1, 16);
    Require.between("predictor shift", shift, 0, 4);
  }
}
