import { cloudOf, type Place } from "../model/place.ts";

/** What ARNs and addresses of AWS begin and end with in a region. */
export function cloudOfRegion(region: string): { readonly cloud: string; readonly domain: string } {
  return { cloud: cloudOf(region), domain: region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com" };
}

/** Pseudo parameters of templates that are texts; `undefined`: there is none of this name. */
export function pseudoParameter(
  name: string,
  { region, account }: Place,
  stackName: string,
): string | undefined {
  const { cloud, domain } = cloudOfRegion(region);
  switch (name) {
    case "AWS::Region":
      return region;
    case "AWS::AccountId":
      return account;
    case "AWS::Partition":
      return cloud;
    case "AWS::URLSuffix":
      return domain;
    case "AWS::StackName":
      return stackName;
    case "AWS::StackId":
      return `arn:${cloud}:cloudformation:${region}:${account}:stack/${stackName}/${stackName}`;
    default:
      return undefined;
  }
}
