/* The C++ library: exceptions, sorting, streams, threads, files, regular expressions. */
#include <iostream>
#include <iomanip>
#include <sstream>
#include <fstream>
#include <vector>
#include <algorithm>
#include <map>
#include <unordered_map>
#include <set>
#include <string>
#include <regex>
#include <thread>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <condition_variable>
#include <chrono>
#include <random>
#include <locale>
#include <memory>
#include <numeric>
#include <variant>
#include <any>
#include <optional>
#include <functional>
#include <typeinfo>
#include <filesystem>
#include <charconv>
#include <valarray>
#include <queue>
#include <atomic>
struct A {
  virtual ~A() {
    std::cout<<"~A ";
  }
  virtual int f() {
    return 1;
  }
};
struct B:A {
  int f()override {
    return 2;
  }
  ~B()override {
    std::cout<<"~B ";
  }
};
int deep(int n) {
  struct G {
    int n;
    ~G() {
      if(n%50==0) std::cout<<"g"<<n<<' ';
    }
  }
  g{n};
  if(n==0) throw std::runtime_error("deep");
  return deep(n-1)+1;
}
int main(int argc,char**argv) {
  try {
    deep(200);
  } catch(const std::exception&e) {
    std::cout<<e.what()<<'\n';
  }
  try {
    try {
      throw 5;
    } catch(int x) {
      std::throw_with_nested(std::logic_error("outer"));
    }
  } catch(const std::logic_error&e) {
    try {
      std::rethrow_if_nested(e);
    } catch(int x) {
      std::cout<<"nested "<<x<<'\n';
    }
  }
  try {
    std::vector<int> v;
    v.at(5);
  } catch(const std::out_of_range&e) {
    std::cout<<e.what()<<'\n';
  }
  try {
    A*a=new A;
    (void)dynamic_cast<B&>(*a);
    delete a;
  } catch(const std::bad_cast&e) {
    std::cout<<e.what()<<'\n';
  }
  try {
    auto p=std::make_unique<long[]>(1L<<45);
    std::cout<<p[0];
  } catch(const std::bad_alloc&e) {
    std::cout<<e.what()<<'\n';
  }
  {
    std::unique_ptr<A> p=std::make_unique<B>();
    std::cout<<p->f()<<' '<<typeid(*p).name()<<'\n';
  }
  std::cout<<'\n';
  std::mt19937_64 g(7);
  std::vector<double> v(100000);
  std::normal_distribution<> nd;
  for(auto&x:v) x=nd(g);
  std::sort(v.begin(),v.end());
  std::stable_sort(v.begin(),v.end(),[](double a,double b) {
    return std::abs(a)<std::abs(b);
  });
  std::cout<<std::setprecision(15)<<v[0]<<' '<<v.back()<<' '<<std::accumulate(v.begin(),v.end(),
           0.0)<<'\n';
  std::cout<<std::fixed<<std::setw(12)<<std::setfill('*')
           <<3.14159<<' '<<std::scientific<<1e10<<' '<<std::hexfloat<<0.1<<std::defaultfloat<<' '<<std::hex<<255<<std::oct<<' '<<8<<std::dec<<' '<<std::boolalpha<<true<<'\n';
  std::map<std::string,int> m;
  std::unordered_map<int,std::string> um;
  std::stringstream ss("the cat the dog a cat the end");
  for(std::string w; ss>>w;) m[w]++;
  for(auto&[k,c]:m) std::cout<<k<<'='<<c<<' ';
  std::cout<<'\n';
  for(int i=0; i<1000; i++) um[i*i]=std::to_string(i);
  std::cout<<um.size()<<' '<<um[900]<<'\n';
  std::regex re("(\\w+)@(\\w+)\\.com");
  std::smatch sm;
  std::string s="mail bob@example.com now";
  if(std::regex_search(s,sm,re)) std::cout<<sm[1]<<' '<<sm[2]<<'\n';
  auto fu=std::async(std::launch::async,[] {
    return 42;
  });
  std::promise<int> pr;
  auto pf=pr.get_future();
  std::thread th([&] {
    try {
      throw std::runtime_error("in thread");
    } catch(...) {
      pr.set_exception(std::current_exception());
    }
  });
  th.join();
  std::cout<<fu.get()<<'\n';
  try {
    pf.get();
  } catch(std::exception&e) {
    std::cout<<e.what()<<'\n';
  }
  std::atomic<long> at{0};
  std::vector<std::thread> ts;
  std::shared_mutex sx;
  long tot=0;
  for(int i=0; i<8; i++) ts.emplace_back([&,i] {
    for(int k=0; k<1000; k++) {
      at+=k;
      std::unique_lock l(sx);
      tot+=i;
    }
  });
  for(auto&t:ts) t.join();
  std::cout<<at<<' '<<tot<<'\n';
  std::mutex mu;
  std::condition_variable cv;
  bool ready=false;
  std::thread w([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::lock_guard l(mu);
    ready=true;
    cv.notify_one();
  });
  {
    std::unique_lock l(mu);
    std::cout<<cv.wait_for(l,std::chrono::seconds(100),[&] {return ready;})<<'\n';
  }
  w.join();
  std::variant<int,std::string> va="x";
  std::cout<<va.index()<<' '<<std::get<1>(va)<<'\n';
  try {
    std::get<0>(va);
  } catch(std::bad_variant_access&e) {
    std::cout<<e.what()<<'\n';
  }
  std::any an=3.5;
  std::cout<<std::any_cast<double>(an)<<'\n';
  char b[40];
  auto r=std::to_chars(b,b+40,0.1+0.2);
  *r.ptr=0;
  std::cout<<b<<'\n';
  double d;
  std::from_chars(b,r.ptr,d);
  std::cout<<(d==0.1+0.2)<<'\n';
  try {
    std::locale l("de_DE.UTF-8");
    std::cout<<"de\n";
  } catch(std::exception&e) {
    std::cout<<"no locale\n";
  }
  std::cout<<std::locale().name()<<'\n';
  struct P:std::numpunct<char> {
    char do_thousands_sep()const override {
      return '.';
    }
    std::string do_grouping()const override {
      return "\3";
    }
  };
  std::ostringstream os;
  os.imbue(std::locale(std::locale(),new P));
  os<<123456789<<' '<<std::put_money("12345");
  std::cout<<os.str()<<'\n';
  namespace fs=std::filesystem;
  fs::path base=".";
  fs::create_directories(base/"x/y/z");
  std::ofstream(base/"x/y/f.txt")<<"hello\nworld\n";
  std::ifstream in(base/"x/y/f.txt");
  std::string line;
  while(std::getline(in,line)) std::cout<<line<<' ';
  std::vector<std::string> all;
  for(auto&e:fs::recursive_directory_iterator(base/"x")) all.push_back(fs::relative(e.path(),
        base).string()+(e.is_directory()?"/":""));
  std::sort(all.begin(),all.end());
  for(auto&x:all) std::cout<<x<<' ';
  std::cout<<fs::file_size(base/"x/y/f.txt")<<' ';
  fs::copy_file(base/"x/y/f.txt",base/"x/c");
  std::cout<<fs::exists(base/"x/c")<<' '<<fs::remove_all(base/"x")<<'\n';
  std::wcout<<L"w"<<std::endl;
  long long bigsum=0;
  std::priority_queue<int> pq;
  for(int i=0; i<10000; i++) pq.push(i*7919%10007);
  while(!pq.empty()) {
    bigsum=bigsum*3+pq.top();
    pq.pop();
  }
  std::cout<<bigsum<<'\n';
  std::string nm;
  int ag;
  while(std::cin>>nm>>ag) std::cout<<nm<<':'<<ag<<'\n';
  std::cerr<<"to stderr\n";
  std::set_terminate([] {
    std::cout<<"terminate"<<std::endl;
    std::_Exit(9);
  });
  throw 1;
}
