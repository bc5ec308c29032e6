package io.spillway.reservoir.convert;

/// A complex number, as far as the ear's wave equation needs it.
record Complex(double re, double im) {
  private static final double EULER = .5772156649015329;
  private static final double ASYMPTOTIC_FROM = 12;

  Complex plus(Complex o) {
    return new Complex(re + o.re, im + o.im);
  }

  Complex minus(Complex o) {
    return new Complex(re - o.re, im - o.im);
  }

  Complex times(Complex o) {
    return new Complex(re * o.re - im * o.im, re * o.im + im * o.re);
  }

  Complex times(double f) {
    return new Complex(re * f, im * f);
  }

  Complex over(Complex o) {
    double d = o.re * o.re + o.im * o.im;
    return new Complex((re * o.re + im * o.im) / d, (im * o.re - re * o.im) / d);
  }

  Complex conjugate() {
    return new Complex(re, -im);
  }

  double abs() {
    return Math.hypot(re, im);
  }

  /// The root with a positive real part.
  Complex sqrt() {
    double r = abs();
    double a = Math.sqrt((r + re) / 2);
    double b = Math.sqrt(Math.max(0, (r - re) / 2));
    return new Complex(a, im < 0 ? -b : b);
  }

  Complex exp() {
    double e = Math.exp(re);
    return new Complex(e * Math.cos(im), e * Math.sin(im));
  }

  Complex log() {
    return new Complex(Math.log(abs()), Math.atan2(im, re));
  }

  /// The Hankel function of the first kind and order 0: its power series near the origin, its
  /// asymptotic series elsewhere.
  Complex hankel() {
    return abs() < ASYMPTOTIC_FROM ? nearHankel() : farHankel();
  }

  private Complex nearHankel() {
    Complex quarter = times(this).times(-.25);
    Complex term = new Complex(1, 0);
    Complex j = term;
    Complex rest = new Complex(0, 0);
    double harmonic = 0;
    for (int k = 1; k < 60; k++) {
      term = term.times(quarter).times(1.0 / ((double) k * k));
      harmonic += 1.0 / k;
      j = j.plus(term);
      rest = rest.minus(term.times(harmonic));
    }
    Complex log = times(.5).log().plus(new Complex(EULER, 0));
    Complex y = log.times(j).plus(rest).times(2 / Math.PI);
    return j.plus(new Complex(-y.im, y.re));
  }

  private Complex farHankel() {
    Complex sum = new Complex(1, 0);
    Complex term = sum;
    for (int k = 1; k < 10; k++) {
      double odd = 2 * k - 1;
      // i^k a_k / z^k with a_k = (-1)^k (1·3···)² / (k! 8^k)
      term = term.times(new Complex(0, -odd * odd / (8 * k))).over(this);
      sum = sum.plus(term);
    }
    Complex phase = new Complex(-im, re - Math.PI / 4).exp();
    Complex root = new Complex(2 / Math.PI, 0).over(this).sqrt();
    return root.times(phase).times(sum);
  }
}
