package io.spillway.simulator.functional;

import io.spillway.simulator.machine.Hart;

/// The registers of the hart that runs, one field each, for generated code.
///
/// Generated code writes every register through to its field, so that nothing has to be kept for
/// the many ways out of a region. Fields and not an array: a constant element of an array costs
/// HotSpot a bounds check, and it tells apart accesses to different fields at once.
final class RegisterFile {
  long x1;
  long x2;
  long x3;
  long x4;
  long x5;
  long x6;
  long x7;
  long x8;
  long x9;
  long x10;
  long x11;
  long x12;
  long x13;
  long x14;
  long x15;
  long x16;
  long x17;
  long x18;
  long x19;
  long x20;
  long x21;
  long x22;
  long x23;
  long x24;
  long x25;
  long x26;
  long x27;
  long x28;
  long x29;
  long x30;
  long x31;

  // bits, as doubles since most code takes them so; HotSpot moves those of a NaN as they are
  double f0;
  double f1;
  double f2;
  double f3;
  double f4;
  double f5;
  double f6;
  double f7;
  double f8;
  double f9;
  double f10;
  double f11;
  double f12;
  double f13;
  double f14;
  double f15;
  double f16;
  double f17;
  double f18;
  double f19;
  double f20;
  double f21;
  double f22;
  double f23;
  double f24;
  double f25;
  double f26;
  double f27;
  double f28;
  double f29;
  double f30;
  double f31;

  /// Takes the hart's registers.
  void load(Hart hart) {
    long[] x = hart.x;
    long[] f = hart.f;
    x1 = x[1];
    x2 = x[2];
    x3 = x[3];
    x4 = x[4];
    x5 = x[5];
    x6 = x[6];
    x7 = x[7];
    x8 = x[8];
    x9 = x[9];
    x10 = x[10];
    x11 = x[11];
    x12 = x[12];
    x13 = x[13];
    x14 = x[14];
    x15 = x[15];
    x16 = x[16];
    x17 = x[17];
    x18 = x[18];
    x19 = x[19];
    x20 = x[20];
    x21 = x[21];
    x22 = x[22];
    x23 = x[23];
    x24 = x[24];
    x25 = x[25];
    x26 = x[26];
    x27 = x[27];
    x28 = x[28];
    x29 = x[29];
    x30 = x[30];
    x31 = x[31];
    f0 = Double.longBitsToDouble(f[0]);
    f1 = Double.longBitsToDouble(f[1]);
    f2 = Double.longBitsToDouble(f[2]);
    f3 = Double.longBitsToDouble(f[3]);
    f4 = Double.longBitsToDouble(f[4]);
    f5 = Double.longBitsToDouble(f[5]);
    f6 = Double.longBitsToDouble(f[6]);
    f7 = Double.longBitsToDouble(f[7]);
    f8 = Double.longBitsToDouble(f[8]);
    f9 = Double.longBitsToDouble(f[9]);
    f10 = Double.longBitsToDouble(f[10]);
    f11 = Double.longBitsToDouble(f[11]);
    f12 = Double.longBitsToDouble(f[12]);
    f13 = Double.longBitsToDouble(f[13]);
    f14 = Double.longBitsToDouble(f[14]);
    f15 = Double.longBitsToDouble(f[15]);
    f16 = Double.longBitsToDouble(f[16]);
    f17 = Double.longBitsToDouble(f[17]);
    f18 = Double.longBitsToDouble(f[18]);
    f19 = Double.longBitsToDouble(f[19]);
    f20 = Double.longBitsToDouble(f[20]);
    f21 = Double.longBitsToDouble(f[21]);
    f22 = Double.longBitsToDouble(f[22]);
    f23 = Double.longBitsToDouble(f[23]);
    f24 = Double.longBitsToDouble(f[24]);
    f25 = Double.longBitsToDouble(f[25]);
    f26 = Double.longBitsToDouble(f[26]);
    f27 = Double.longBitsToDouble(f[27]);
    f28 = Double.longBitsToDouble(f[28]);
    f29 = Double.longBitsToDouble(f[29]);
    f30 = Double.longBitsToDouble(f[30]);
    f31 = Double.longBitsToDouble(f[31]);
  }

  /// Gives the hart its registers back.
  void store(Hart hart) {
    long[] x = hart.x;
    long[] f = hart.f;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    x[4] = x4;
    x[5] = x5;
    x[6] = x6;
    x[7] = x7;
    x[8] = x8;
    x[9] = x9;
    x[10] = x10;
    x[11] = x11;
    x[12] = x12;
    x[13] = x13;
    x[14] = x14;
    x[15] = x15;
    x[16] = x16;
    x[17] = x17;
    x[18] = x18;
    x[19] = x19;
    x[20] = x20;
    x[21] = x21;
    x[22] = x22;
    x[23] = x23;
    x[24] = x24;
    x[25] = x25;
    x[26] = x26;
    x[27] = x27;
    x[28] = x28;
    x[29] = x29;
    x[30] = x30;
    x[31] = x31;
    f[0] = Double.doubleToRawLongBits(f0);
    f[1] = Double.doubleToRawLongBits(f1);
    f[2] = Double.doubleToRawLongBits(f2);
    f[3] = Double.doubleToRawLongBits(f3);
    f[4] = Double.doubleToRawLongBits(f4);
    f[5] = Double.doubleToRawLongBits(f5);
    f[6] = Double.doubleToRawLongBits(f6);
    f[7] = Double.doubleToRawLongBits(f7);
    f[8] = Double.doubleToRawLongBits(f8);
    f[9] = Double.doubleToRawLongBits(f9);
    f[10] = Double.doubleToRawLongBits(f10);
    f[11] = Double.doubleToRawLongBits(f11);
    f[12] = Double.doubleToRawLongBits(f12);
    f[13] = Double.doubleToRawLongBits(f13);
    f[14] = Double.doubleToRawLongBits(f14);
    f[15] = Double.doubleToRawLongBits(f15);
    f[16] = Double.doubleToRawLongBits(f16);
    f[17] = Double.doubleToRawLongBits(f17);
    f[18] = Double.doubleToRawLongBits(f18);
    f[19] = Double.doubleToRawLongBits(f19);
    f[20] = Double.doubleToRawLongBits(f20);
    f[21] = Double.doubleToRawLongBits(f21);
    f[22] = Double.doubleToRawLongBits(f22);
    f[23] = Double.doubleToRawLongBits(f23);
    f[24] = Double.doubleToRawLongBits(f24);
    f[25] = Double.doubleToRawLongBits(f25);
    f[26] = Double.doubleToRawLongBits(f26);
    f[27] = Double.doubleToRawLongBits(f27);
    f[28] = Double.doubleToRawLongBits(f28);
    f[29] = Double.doubleToRawLongBits(f29);
    f[30] = Double.doubleToRawLongBits(f30);
    f[31] = Double.doubleToRawLongBits(f31);
  }

  /// The name of the field of a register in the joint numbering.
  static String field(int register) {
    return register < 32 ? "x" + register : "f" + (register - 32);
  }
}
